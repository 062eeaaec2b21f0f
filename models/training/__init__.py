"""The training code of models, in modules with the models' names, and the code that they share: samples, threads,
devices, resuming, stages and towers."""
