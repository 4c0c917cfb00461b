"""Start the kernel: `python -m subnetlab_kernel -f connection.json`, which is what the kernelspec runs."""

from ipykernel.kernelapp import IPKernelApp

from subnetlab_kernel.kernel import SubnetLabKernel

if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=SubnetLabKernel)
