"""The front door: every verb. `inv --list` shows them, `inv --help VERB` explains one.

Nothing happens here: signatures are in `ctexp.cli.verbs`, and what they name is loaded when one is called.
"""

from ctexp.cli import frontdoor
from ctexp.cli.verbs.data import (
    data_audit,
    data_delta,
    data_import,
    data_phantom,
    data_pull,
    data_push,
    data_split,
    extract_features,
)
from ctexp.cli.verbs.night import (
    diagnose,
    plan,
    plan_check,
    plan_render,
    queue_cancel,
    queue_status,
    queue_watch,
)
from ctexp.cli.verbs.project import bench, check, doctor, quickstart, ruff, run_tests
from ctexp.cli.verbs.proof import audit_tracking, diff, monitor, reproduce
from ctexp.cli.verbs.records import export_runs, runs, show, wandb_sync
from ctexp.cli.verbs.research import findings_check, research_new, research_run, research_status
from ctexp.cli.verbs.sweeps import (
    sweep,
    sweep_agent,
    sweep_best,
    sweep_refine,
    sweep_report,
    sweep_status,
    warm,
)
from ctexp.cli.verbs.training import cross_validate, estimate, prune, train
from ctexp.cli.verbs.verdicts import (
    analyze_errors,
    analyze_features,
    compare_baselines,
    evaluate,
    export,
    predict,
    report,
)

frontdoor.install()
