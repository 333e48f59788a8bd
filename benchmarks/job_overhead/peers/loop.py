"""One process that calls the training again and again: what everything else is measured against."""

import sys

from benchmarks.job_overhead.peers.training import train

for number in range(int(sys.argv[1])):
    train(number)
