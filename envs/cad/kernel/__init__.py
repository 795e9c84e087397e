"""Programs that build parts, and the judgement of what they left, each in a process of a sandbox."""

from palestra.envs.cad.kernel.slots import SlotKernel, kernel_for

__all__ = ["SlotKernel", "kernel_for"]
