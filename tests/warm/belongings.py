"""What some libraries make as they are imported: W&B's two folders, SymPy's generators, matplotlib's home."""

import atexit
import random
import shutil
import tempfile

FOLDER = tempfile.TemporaryDirectory("media")
atexit.register(FOLDER.cleanup)

HOME = tempfile.mkdtemp(prefix="home-")
atexit.register(shutil.rmtree, HOME)

BY_CHANCE = random.Random()
BY_NUMBER = random.Random(7)
AT_LAST_BY_NUMBER = random.Random()
AT_LAST_BY_NUMBER.seed(7)

with tempfile.TemporaryDirectory() as PASSING:
    pass
