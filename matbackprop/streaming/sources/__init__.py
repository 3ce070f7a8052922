"""Where rows come from: arrays, Parquet files, blocks that are made one by one, Dask."""
