"""What dev losses decide: which checkpoint is the best, and when a run stops early. The TypeScript side is
src/train/early-stopping.ts; cases for both: protocol/cases/early-stopping.json."""


def is_best(evaluations: list[float], loss: float) -> bool:
    """Whether a dev loss is better than all before it. An equal one is not."""
    return all(loss < earlier for earlier in evaluations)


def has_stopped(evaluations: list[float], patience: int) -> bool:
    """
    Whether the last `patience` evaluations brought nothing better than what was before them.

    :param patience: train.early_stopping_patience; 0: never stops early
    """
    if patience == 0 or len(evaluations) <= patience:
        return False
    return min(evaluations[-patience:]) >= min(evaluations[:-patience])
