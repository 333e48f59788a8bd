"""Every test, and every process it starts, computes on one thread.

The suite runs on as many workers as there are cores; two threads of two workers on two cores wait for each
other in busy loops, and a step of a millisecond takes a second.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
