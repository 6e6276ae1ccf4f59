"""Where the data of a fit come from: rows, batches of rows, Dask; all end in a `Reduction`."""
