"""How may prosumers act otherwise than as price takers? Each behaviour in a file of its own, with its source."""
