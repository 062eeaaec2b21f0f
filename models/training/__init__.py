"""The training code of models, in modules with the models' names, and the code that they share: alternating least
squares, devices, memory, resuming, stages, threads and towers."""
