"""The nouns: frozen records of plain values that pass from floor to floor."""
