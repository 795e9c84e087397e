"""What goes on in the service, in figures, as Prometheus reads them."""

from collections.abc import Sequence

from palestra.envs.verification.service.docket import Docket

_PREFIX = "palestra_verify_"


def page(docket: Docket) -> str:
    """Return the figures in Prometheus' text format."""
    lines: list[str] = []
    for name, about, value in (
        ("queued", "submissions that wait", docket.queued),
        ("running", "submissions being judged", docket.running),
        ("clients_waiting", "clients that have something waiting", docket.clients),
        ("workers", "worker processes", docket.bounds.workers),
        ("workers_ready", "worker processes whose last job was not lost", len(docket.workers_ready)),
        ("tasks_held", "tasks that submissions may name", len(docket.shelf)),
        ("results_kept", "results that may be asked for", docket.kept),
    ):
        lines += _described(name, about, "gauge", [("", value)])
    results = [(f'{{status="{status}"}}', count) for status, count in docket.results.items()]
    lines += _described("results_total", "results, of which faults are no verdicts", "counter", results)
    lines += _described("workers_lost_total", "workers that were lost", "counter", [("", docket.workers_lost)])
    waits = sorted(docket.waits_s)
    shown = [(f'{{quantile="{share:g}"}}', quantile(waits, share)) for share in (0.5, 0.99)]
    about = "from being handed in to being judged, of the latest thousand"
    lines += _described("wait_seconds", about, "gauge", shown)
    return "\n".join(lines) + "\n"


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the least value that this share of the ordered values does not exceed; 0 of none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _described(name: str, about: str, kind: str, values: Sequence[tuple[str, float]]) -> list[str]:
    head = [f"# HELP {_PREFIX}{name} {about}", f"# TYPE {_PREFIX}{name} {kind}"]
    return head + [f"{_PREFIX}{name}{label} {value:.6g}" for label, value in values]
