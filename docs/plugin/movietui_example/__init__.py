"""An example of a plug-in for movietui: a model, a reader and two metrics."""
