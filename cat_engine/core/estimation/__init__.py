"""Estimators: one file turns scored responses into an estimate and its error."""
