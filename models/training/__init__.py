"""The fit of each model, under the model's name, and what fits share: threads, devices, resuming and stages."""
