"""Results that both the engine and the command line compute: lists, comparisons, imports and exports."""
