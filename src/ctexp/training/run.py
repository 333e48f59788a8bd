"""A run's beginning, new or resumed: whatever can be refused is refused before anything is written."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

import torch

from ctexp.core import clock, files
from ctexp.core.device_lock import device_lock
from ctexp.core.errors import DataError
from ctexp.data.batches import EvalBatches, TrainBatches
from ctexp.models.weights import WeightsOrigin, resolve
from ctexp.record import environment, writing
from ctexp.record.history import History
from ctexp.record.manifest import Attempt, Checkpoint, Estimate, Manifest
from ctexp.record.result import DEVICES, PARTS_A_STEP, Deviation, Result
from ctexp.record.run_dir import RunDir
from ctexp.training import dataset, describe
from ctexp.training.attempt import RecordedAttempt
from ctexp.training.cost.trial import Trial, trial
from ctexp.training.describe import Circumstances
from ctexp.training.kernel import checkpoints, space
from ctexp.training.kernel.compiling import require_compiler
from ctexp.training.kernel.device import choose_devices, make_repeatable
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.recipe import ImageStore, build_module, refuse_unfit_input
from ctexp.training.order import Order
from ctexp.training.ranks import Others
from ctexp.training.refereed import Refereed


class Training:
    """One start of a run."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._settings = order.settings
        trainer = order.settings.trainer
        self._device, *others = choose_devices(trainer.accelerator, trainer.devices)
        self._others = tuple(others)
        make_repeatable()
        self._surroundings = environment.capture()
        self._about = Circumstances(
            argv=order.argv,
            command=order.command,
            overrides=order.overrides,
            config_sha256=order.config_sha256,
            git=order.source.state,
            environment=self._surroundings.environment,
            variables=os.environ,
            parent=order.parent,
        )

    def preview(self, estimate: Estimate | None) -> Manifest:
        """The manifest as it would be written, of a run that is not begun."""
        name = describe.run_name(self._settings)
        run_id = f"{name}_{clock.stamp(clock.now())}_dryrun"
        return self._manifest(run_id, *self._module(), estimate)

    def trial(self, *, micro_batch: bool = False) -> Trial | None:
        """Measure a few steps of what `start` would train; see `trial.trial`.

        Raises:
            CtexpError: refused, as `start` would.
        """
        runs = self._order.runs_dir
        with self._device_to_itself():
            module, _, (train, val) = self._fresh
            return trial(
                module,
                train,
                val,
                images=len(self._order.selection.rows["val"]),
                device=self._device,
                folder=next(folder for folder in (runs, *runs.parents) if folder.is_dir()),
                micro_batch=micro_batch,
            )

    def start(self, estimate: Estimate | None = None) -> Result:
        """Train from the beginning, in a new run directory.

        Raises:
            CtexpError: refused; nothing was made.
            Busy: somebody else trains on the GPU.
        """
        with self._device_to_itself():
            module, origin, batches = self._fresh
            run = RunDir.create(self._order.runs_dir, describe.run_name(self._settings))
            with run.lock():
                manifest = self._manifest(run.id, module, origin, estimate)
                attempt = self._attempt(run, manifest, module, batches, None)
                writing.begin(
                    run,
                    config_yaml=self._order.config_yaml,
                    overrides=self._order.overrides,
                    patch=self._order.source.patch,
                    packages=self._surroundings.packages,
                    manifest=attempt.manifest,
                    attempt=attempt.attempt,
                )
                return attempt.carry_out(None)

    def resume(self, run: RunDir) -> Result:
        """Go on where a run was interrupted, in its own directory.

        Raises:
            CtexpError: refused; the run is as it was.
            Busy: the run is still running, or somebody else trains on the GPU.
        """
        with self._device_to_itself(), run.lock():
            manifest = Manifest.read(run.manifest)
            dataset.refuse_other_features(run.id, manifest.features, self._order.features)
            files.sweep_temporaries(run.path)
            found = checkpoints.newest(run.checkpoints)
            history = History(run.history)
            earlier = writing.departures(run)
            # The checkpoint replaces first weights; without one they are needed again, and must be the same.
            module, origin = self._module(WeightsOrigin("random") if found else None)
            if found is None and origin.sha256 != manifest.weights.sha256:
                raise DataError(f"{run.id}: the pretrained weights are not those it began with", "train anew")
            there = sum(path.stat().st_size for path in run.checkpoints.iterdir())
            self._refuse_without_space(run.path, module, there)
            batches = self._decoded()
            position = Checkpoint(epoch=found.epoch, step=found.step) if found else None
            module.pieces = next(
                (d.after for d in reversed(earlier) if d.what == PARTS_A_STEP), module.pieces
            )
            others = self._other_devices(run, position)
            attempt = self._attempt(run, manifest, module, batches, position, earlier, others)
            writing.resume(run, attempt.attempt, self._order.source.patch)
            history.truncate_after(position.epoch if position else -1)
            return attempt.carry_out(found.path if found else None)

    @contextmanager
    def _device_to_itself(self) -> Iterator[None]:
        """Hold the GPUs, before anything is put on them; a night that this belongs to may have done so."""
        gpus = [device for device in (self._device, *self._others) if device.type == "cuda"]
        with ExitStack() as held:
            for uuid in sorted(str(torch.cuda.get_device_properties(gpu).uuid) for gpu in gpus):
                held.enter_context(device_lock(uuid))
            yield

    def _attempt(
        self,
        run: RunDir,
        manifest: Manifest,
        module: Classifier,
        batches: tuple[TrainBatches, EvalBatches],
        position: Checkpoint | None,
        earlier: tuple[Deviation, ...] = (),
        deviations: tuple[Deviation, ...] = (),
    ) -> RecordedAttempt:
        number = writing.next_attempt(run)
        return RecordedAttempt(
            run=run,
            manifest=manifest,
            attempt=describe.attempt(run.id, number, self._settings, self._about, position, deviations),
            earlier=earlier,
            module=module,
            selection=self._order.selection,
            train=batches[0],
            val=batches[1],
            device=self._device,
            others=Others(self._others, self._store().on),
            conf=self._order.root / "conf",
            tell=self._order.tell,
            referee=Refereed(self._order.referee, self._settings.trainer.max_epochs),
        )

    def _other_devices(self, run: RunDir, position: Checkpoint | None) -> tuple[Deviation, ...]:
        """What is to be known where a run goes on with more or fewer devices than before."""
        numbers = run.attempt_numbers()
        if not numbers:  # it ended before it had begun
            return ()
        before = Attempt.read(run.attempt(numbers[-1])).devices
        after = self._settings.trainer.devices
        if before == after:
            return ()
        step = position.step if position else 0
        reason = f"resumed with trainer.devices={after}"
        return (Deviation(what=DEVICES, before=before, after=after, step=step, reason=reason),)

    @cached_property
    def _fresh(self) -> tuple[Classifier, WeightsOrigin, tuple[TrainBatches, EvalBatches]]:
        """What a new run begins with; whatever refuses it does so here."""
        module, origin = self._module()
        self._refuse_without_space(self._order.runs_dir, module, there=0)
        return module, origin, self._decoded()

    def _refuse_without_space(self, folder: Path, module: Classifier, there: int) -> None:
        wanted = space.needed(module, len(self._order.selection.rows["val"]))
        space.refuse_unless_free(folder, wanted - there)

    def _decoded(self) -> tuple[TrainBatches, EvalBatches]:
        """Training and validation images; a damaged one refuses the run here."""
        return self._store().on(self._device)

    def _store(self) -> ImageStore:
        order = self._order
        return ImageStore(self._settings, order.selection, order.features, order.data_dir, self._device)

    def _module(self, origin: WeightsOrigin | None = None) -> tuple[Classifier, WeightsOrigin]:
        model = self._settings.model
        origin = origin or resolve(
            model.name, pretrained=model.pretrained, weights=model.weights, root=self._order.root
        )
        module = build_module(
            self._settings, self._order.selection, self._order.features, origin, self._device
        )
        refuse_unfit_input(module, self._order.selection)
        if self._settings.trainer.compile:
            require_compiler(self._device)
        return module, origin

    def _manifest(
        self, run_id: str, module: Classifier, origin: WeightsOrigin, estimate: Estimate | None
    ) -> Manifest:
        data = dataset.describe(self._order.selection, self._order.root, self._order.features)
        return describe.manifest(
            run_id, self._settings, data, self._order.features, module, origin, self._about, estimate
        )
