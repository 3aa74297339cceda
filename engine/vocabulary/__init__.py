"""THE WORDS: kinds, events, operators, functions, channels and patterns; one entry each."""
