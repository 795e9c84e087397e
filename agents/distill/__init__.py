"""Self-distillation: the same model, told more than the student, teaches it token by token on the student's samples."""
