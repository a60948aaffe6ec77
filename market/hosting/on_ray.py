"""Communities on a Ray cluster: to come."""


class RayCluster:
    """To come."""

    def __init__(self, *_: object) -> None:
        raise NotImplementedError
