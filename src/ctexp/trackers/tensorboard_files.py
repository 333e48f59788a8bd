"""TensorBoard's event files, in `tracker/tensorboard` of the run directory: `tensorboard --logdir runs`."""

from datetime import datetime
from typing import Any

import yaml

from ctexp.trackers.protocol import Outcome, TrackedRun, Values


class TensorboardTracker:
    """Event files, a folder for each start of a run, by TensorBoard's own writer, which needs no torch."""

    title = "TensorBoard"
    later = "scripts/inv export-runs --to tensorboard"

    def __init__(self) -> None:
        self._writer: Any = None
        self._epoch = 0

    def start(self, run: TrackedRun) -> None:
        """Open the file; what people said of the run and its configuration are texts beside the metrics."""
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(run.folder / "tracker" / "tensorboard" / run.tracker_id))
        about = {"run": run.name, "group": run.group, "tags": list(run.tags), "description": run.description}
        began = run.began.timestamp()
        for name, document in (("run", about), ("config", dict(run.config))):
            self._add(_text(name, document), began)
        self._writer.flush()

    def log(self, values: Values, epoch: int, moment: datetime) -> None:
        """Add the metrics of an epoch."""
        self._epoch = epoch
        known = {name: value for name, value in values.items() if value is not None and name != "epoch"}
        self._add(_scalars(known), moment.timestamp())
        self._writer.flush()

    def finish(self, outcome: Outcome) -> None:
        """Add the final metrics, and the figures."""
        from PIL import Image
        from tensorboard.compat.proto.summary_pb2 import Summary

        ended = outcome.ended.timestamp()
        self._add(_scalars(outcome.known), ended)
        for path in outcome.figures:
            with Image.open(path) as picture:
                width, height = picture.size
            image = Summary.Image(
                encoded_image_string=path.read_bytes(), width=width, height=height, colorspace=3
            )
            self._add(Summary(value=[Summary.Value(tag=f"figures/{path.stem}", image=image)]), ended)
        self._writer.close()

    def _add(self, summary: Any, moment: float) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=moment, step=self._epoch, summary=summary))


def _scalars(values: dict[str, float]) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in values.items()])


def _text(name: str, document: dict[str, Any]) -> Any:
    """A document as an indented block, which TensorBoard's Markdown leaves as it is."""
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

    lines = yaml.safe_dump(document, sort_keys=False, allow_unicode=True).splitlines()
    tensor = TensorProto(
        dtype="DT_STRING",
        string_val=["".join(f"    {line}\n" for line in lines).encode()],
        tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
    )
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
    return Summary(value=[Summary.Value(tag=name, metadata=metadata, tensor=tensor)])
