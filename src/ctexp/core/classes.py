"""The four classes, in the one order that labels, logits and tables share."""

CLASSES = ("adenocarcinoma", "large_cell_carcinoma", "squamous_cell_carcinoma", "normal")
"""Class names; a label is an index into this tuple."""

NORMAL = CLASSES.index("normal")
"""The label of an image without cancer: every other label is a cancer."""

SPLITS = ("train", "val", "test")
"""The splits, in the order they are listed."""
