# One image for the hub and for each student's server; build it from a checkout: docker build -f docs/jupyterhub.Dockerfile .
FROM quay.io/jupyterhub/jupyterhub:5
RUN python3 -m venv /opt/subnetlab
COPY . /src
RUN /opt/subnetlab/bin/pip install --no-cache-dir '/src[lab]' 'jupyterhub>=5,<6' \
    --extra-index-url https://download.pytorch.org/whl/cpu
ENV PATH="/opt/subnetlab/bin:$PATH"
COPY docs/jupyterhub_config.py /srv/jupyterhub/
CMD ["jupyterhub", "-f", "/srv/jupyterhub/jupyterhub_config.py"]
