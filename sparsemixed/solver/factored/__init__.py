"""The penalised system M = Lambda'A Lambda + D by elimination."""
