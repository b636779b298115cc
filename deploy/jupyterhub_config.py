"""What `tljh-config` cannot say. `deploy/tljh.sh` puts it where the hub reads it."""

c = get_config()  # noqa: F821  JupyterHub brings it

# Two threads for each kernel, as its limit is two cores: else TensorFlow takes one for each core of
# the server, forty times.
c.Spawner.environment.update({"TF_NUM_INTRAOP_THREADS": "2", "OMP_NUM_THREADS": "2"})

# Where forty people click in the same minute, a start takes longer than usual.
c.Spawner.start_timeout = 180
c.Spawner.http_timeout = 120
