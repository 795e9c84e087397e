"""A transformers model as a policy: whatever episodes are ready is sampled in one batch."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from palestra.agents.base import Sample, Sampling
from palestra.agents.sampler import Request, Sampler


class LocalPolicy:
    """Batches the requests of live episodes and samples them in a worker thread.

    A batch starts when the sampler is free and no coroutine of the loop is about to add to it, so with
    environments that act in the loop itself a run's batches, and its samples, are always the same.

    Args:
        sampler: the model; one policy owns it.
        max_batch: the most replies sampled together.
    """

    def __init__(self, sampler: Sampler, *, max_batch: int = 64) -> None:
        if max_batch < 1:
            raise ValueError(f"max_batch must be at least 1, not {max_batch!r}")
        self.sampler = sampler
        self.max_batch = max_batch
        self._pending: list[tuple[Request, asyncio.Future[Sample]]] = []
        self._server: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="palestra-sampler")

    async def generate(self, prompt_ids: Sequence[int], sampling: Sampling) -> Sample:
        """Return a sampled reply; the request joins the next batch.

        Raises:
            ModelError: the prompt does not fit the model.
        """
        future: asyncio.Future[Sample] = asyncio.get_running_loop().create_future()
        self._pending.append((Request(tuple(prompt_ids), sampling), future))
        if self._server is None or self._server.done():
            self._server = asyncio.create_task(self._serve())
        return await future

    async def close(self) -> None:
        """Stop the worker thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _serve(self) -> None:
        while self._pending:
            await self._settle()
            batch, self._pending = self._pending[: self.max_batch], self._pending[self.max_batch :]
            batch = [(request, future) for request, future in batch if not future.done()]
            if not batch:
                continue
            work = asyncio.get_running_loop().run_in_executor(
                self._thread, self.sampler.sample, [request for request, _ in batch]
            )
            try:
                samples = await work
            except Exception as error:  # handed to whoever waits for a sample
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), sample in zip(batch, samples, strict=True):
                if not future.done():
                    future.set_result(sample)

    async def _settle(self) -> None:
        """Let coroutines run until none of them adds a request."""
        count = -1
        while count != len(self._pending):
            count = len(self._pending)
            for _ in range(3):
                await asyncio.sleep(0)
