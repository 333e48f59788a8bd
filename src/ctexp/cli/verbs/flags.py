"""What flags mean that several verbs have, in the same words everywhere."""

_RUN = "a run's id or its beginning, a name, best, baseline, latest, or a cross-validation"
NAMED = "a sweep's name (its newest), its id or its beginning, or latest"

RUN = {"run": _RUN}
LATEST = {"run": f"{_RUN}; else latest"}
RUNS = {"runs": f"{_RUN}; else all"}
SPLIT = {"split": "train, val or test"}
FINAL = {"final": "open the sealed test split; the look is counted in research/test_ledger.jsonl"}
WINDOW = {"window": "lung, mediastinum or LEVEL,WIDTH: how DICOM and 16-bit values become grey"}
DATASET = {"dataset": "which imported set; else chest_ct"}
PLAN = {"plan": "a plan file, or the name of one in research/plans"}
QUEUE = {"queue": "a queue's id or its beginning, a plan's name, or latest; else latest"}
SWEEP = {"sweep": f"{NAMED}; else latest"}
SWEEP_ID = {"sweep-id": f"{NAMED}; else latest"}
AGENTS = {"agents": "how many; else as many as there is room for, and no more than there are trials"}
EXECUTOR = {"executor": "where it runs: a name in conf/executor, such as local, slurm, ray or modal"}
OVERWRITE = {"overwrite": "replace a file of that name"}
