"""Image in, four logits out: networks by name, their pretrained weights, and the losses."""
