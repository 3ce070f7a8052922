"""The printed proof: the steps of a derivation, and the record that holds it all."""
