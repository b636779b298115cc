#!/usr/bin/env bash
# Makes The Littlest JupyterHub a hub for this course. On the server, in a copy of the course:
#
#   sudo [DOMAIN=hub.example.org EMAIL=you@example.org] bash deploy/tljh.sh
#
# What each setting is for, and what was measured: TEACHING.md, "A hub".
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tljh=${TLJH:-/opt/tljh}

# The course's packages, and what its link needs, for everybody.
"$tljh/user/bin/pip" install -r requirements.txt -c constraints.txt 'nbgitpuller>=1.2,<2'

# Who comes chooses a name and a password. Close this once all are in: set it to false, and reload.
tljh-config set auth.FirstUseAuthenticator.create_users true
tljh-config set user_environment.default_app jupyterlab

# A lesson's kernel takes up to 1 GB. What is over the limit kills a kernel, without a word.
tljh-config set limits.memory 3G
tljh-config set limits.cpu 2

# Nobody's variables go in a break or at lunch: three idle hours, not ten minutes.
tljh-config set services.cull.timeout 10800
tljh-config set services.cull.every 600

if [ -n "${DOMAIN:-}" ]; then # else passwords travel in the open
    tljh-config set https.enabled true
    tljh-config set https.letsencrypt.email "${EMAIL:?is needed for a certificate}"
    tljh-config add-item https.letsencrypt.domains "$DOMAIN"
fi

# What tljh-config cannot say.
mkdir -p "$tljh/config/jupyterhub_config.d"
cp deploy/jupyterhub_config.py "$tljh/config/jupyterhub_config.d/course.py"

tljh-config reload
tljh-config reload proxy
