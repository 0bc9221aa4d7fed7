"""How a teacher learns from a student's training steps: reverse-mode differentiation (L2T-DLF)."""
