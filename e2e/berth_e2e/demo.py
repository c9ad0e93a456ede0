"""placeholder"""


def show(*, keep: bool) -> None:
    raise NotImplementedError
