"""A gateway that gives several people kernels of this machine: `subnetlab host`."""
