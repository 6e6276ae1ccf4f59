"""Predictions with their uncertainty: of rows, of new groups from their own responses, and residuals of every kind."""
