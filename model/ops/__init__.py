"""Pure functions on tensors: differential distillation (ViLaMP) and token compression (VideoChat-Flash)."""
