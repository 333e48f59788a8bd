"""The trainings of a trial: one with each seed, or one for each fold with each seed."""

from ctexp.sweeps.file.spec import Member, Spec


def members(spec: Spec, seed: int) -> tuple[Member, ...]:
    """What every trial of a sweep trains, in this order.

    Args:
        spec: the sweep.
        seed: of the configuration, where the file names none.
    """
    return tuple(
        Member(f"s{one}", (f"seed={one}",))
        if fold is None
        else Member(f"s{one}-f{fold}", ("data.split=kfold", f"data.fold={fold}", f"seed={one}"))
        for one in spec.seeds or (seed,)
        for fold in (range(spec.folds) if spec.folds else [None])
    )
