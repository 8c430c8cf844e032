"""Training: LoRA, QLoRA, full and from scratch; the generator of the built-in model."""
