"""The training code of models, in modules with the models' names, and what these modules share."""
