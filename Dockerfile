# The demo in a container; docs/deployment.md has the commands.
FROM python:3.11-slim

# Address of a package index with PyTorch for CPUs, which is smaller; the usual PyTorch when empty.
ARG TORCH_INDEX=""

WORKDIR /app
COPY requirements.txt ./
RUN if [ -n "$TORCH_INDEX" ]; then \
        pip install --no-cache-dir --index-url "$TORCH_INDEX" \
            $(grep -E "^torch(vision)?==" requirements.txt); \
    fi \
    && pip install --no-cache-dir --requirement requirements.txt
COPY LICENSE app.py ./
COPY checkpoints checkpoints
COPY docs/evaluation docs/evaluation
COPY docs/samplers.json docs/samplers.json
COPY fashion_ddpm fashion_ddpm
RUN python -m compileall -q app.py fashion_ddpm

# All that is written, by the libraries too, goes to /tmp.
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 \
    HF_HOME=/tmp/huggingface MPLCONFIGDIR=/tmp/matplotlib TMPDIR=/tmp \
    PYTHONDONTWRITEBYTECODE=1
# nobody and nogroup, as numbers for systems that refuse to start root
USER 65534:65534
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=2m CMD ["python", "-c", "\
import http.client, os, sys; \
link = http.client.HTTPConnection('127.0.0.1', int(os.environ['GRADIO_SERVER_PORT']), timeout=5); \
link.request('GET', '/readyz'); \
sys.exit(link.getresponse().status != 200)"]
ENTRYPOINT ["python", "app.py"]
