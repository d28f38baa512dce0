"""OpenStack Swift with its S3 API, all four servers of one node, over files in one directory.

s3-server.py serve DIRECTORY PORT PORT PORT PORT   until its standard input closes; makes what it needs in the directory
s3-server.py rows DIRECTORY BUCKET PREFIX COUNT    lists COUNT objects PREFIX000000… in a bucket, without bytes behind them
"""

import ctypes
import importlib
import os
import pwd
import signal
import socket
import sys
import time

SERVERS = ('account', 'container', 'object', 'proxy')

PRELOADED = (
    'paste.deploy', 'pkg_resources', 'swift.account.server', 'swift.container.server', 'swift.proxy.server',
    'swift.common.middleware.bulk', 'swift.common.middleware.catch_errors', 'swift.common.middleware.listing_formats',
    'swift.common.middleware.memcache', 'swift.common.middleware.s3api.s3api', 'swift.common.middleware.slo',
    'swift.common.middleware.tempauth',
)

STORAGE = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
mount_check = false
devices = {directory}/devices
swift_dir = {directory}
user = {user}
conn_timeout = 30
node_timeout = 60
disable_fallocate = true
fallocate_reserve = 0
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
# What takes longer would be missing in listings until a daemon comes by, and none does.
container_update_timeout = 60
"""

PROXY = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {directory}
user = {user}
[pipeline:main]
pipeline = catch_errors cache listing_formats bulk s3api tempauth slo proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:slo]
use = egg:swift#slo
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# A busy machine is no reason to think that the others are dead.
conn_timeout = 30
node_timeout = 60
error_suppression_limit = 1000000
"""

SWIFT = """[swift-hash]
swift_hash_path_suffix = spawn
[storage-policy:0]
name = only
default = yes
"""


def write(directory, ports):
    from swift.common.ring import RingBuilder

    user = pwd.getpwuid(os.geteuid()).pw_name
    os.makedirs(os.path.join(directory, 'devices', 'd1'), exist_ok=True)
    for name, port in zip(SERVERS, ports):
        text = (PROXY if name == 'proxy' else STORAGE).format(name=name, port=port, directory=directory, user=user)
        with open(os.path.join(directory, name + '.conf'), 'w') as file:
            file.write(text)
        if name == 'proxy':
            continue
        builder = RingBuilder(1, 1, 1)
        builder.add_dev({
            'id': 0, 'region': 1, 'zone': 1, 'weight': 1.0, 'device': 'd1', 'meta': '',
            'ip': '127.0.0.1', 'port': port, 'replication_ip': '127.0.0.1', 'replication_port': port,
        })
        builder.rebalance()
        builder.get_ring().save(os.path.join(directory, name + '.ring.gz'))


def die_with_parent(parent):
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def wait_for(ports):
    for port in ports:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(('127.0.0.1', port)) == 0:
                    break
            time.sleep(0.02)


def serve(directory, ports):
    from swift.common.wsgi import run_wsgi
    from swift.obj.server import global_conf_callback

    # Once for all four: most of the time until they answer is spent in reading their code.
    for module in PRELOADED:
        importlib.import_module(module)
    write(directory, ports)
    parent = os.getpid()
    # The proxy takes storage that is not there for buckets that are not there. So it answers only while all others do: it is
    # forked first, as a dead parent's children are killed in that order, and waits for the others.
    for name in reversed(SERVERS):
        if os.fork() == 0:
            die_with_parent(parent)
            if name == 'proxy':
                wait_for(ports[:3])
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            more = {'global_conf_callback': global_conf_callback} if name == 'object' else {}
            os._exit(run_wsgi(os.path.join(directory, name + '.conf'), name + '-server', **more) or 0)
    while os.read(0, 4096):
        pass


def add_rows(directory, bucket, prefix, count):
    from swift.common.utils import Timestamp, hash_path, storage_directory
    from swift.container.backend import ContainerBroker

    name = hash_path('AUTH_test', bucket)
    found = [
        os.path.join(folder, name + '.db')
        for folder, _, files in os.walk(os.path.join(directory, 'devices', 'd1', 'containers'))
        if name + '.db' in files
    ]
    broker = ContainerBroker(found[0], account='AUTH_test', container=bucket)
    now = Timestamp(time.time()).internal
    broker.merge_items([
        {
            'name': '%s%06d' % (prefix, at), 'created_at': now, 'size': at, 'content_type': 'text/plain',
            'etag': '%032x' % at, 'deleted': 0, 'storage_policy_index': 0, 'ctype_timestamp': now, 'meta_timestamp': now,
        }
        for at in range(count)
    ])


os.environ['SWIFT_DIR'] = sys.argv[2]
directory = sys.argv[2]
os.makedirs(directory, exist_ok=True)
with open(os.path.join(directory, 'swift.conf'), 'w') as file:
    file.write(SWIFT)
import swift.common.utils  # noqa: E402

# Before anything of it asks for the names of what is hashed.
swift.common.utils.SWIFT_CONF_FILE = os.path.join(directory, 'swift.conf')
if sys.argv[1] == 'serve':
    serve(directory, [int(port) for port in sys.argv[3:7]])
else:
    swift.common.utils.validate_hash_conf()
    add_rows(directory, sys.argv[3], sys.argv[4], int(sys.argv[5]))
