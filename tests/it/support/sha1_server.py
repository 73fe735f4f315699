# An SSH server that agrees to rsa-sha2-512 and proves its host key with SHA-1 all the same. Prints its port.
# Usage: python3 sha1_server.py HOST_KEY
import socket, sys, threading, paramiko
class Old(paramiko.RSAKey):
    def sign_ssh_data(self, data, algorithm=None):
        return super().sign_ssh_data(data, "ssh-rsa")
key = Old(filename=sys.argv[1])
class Gate(paramiko.ServerInterface):
    def check_auth_none(self, user):
        return paramiko.AUTH_SUCCESSFUL
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen()
print(listener.getsockname()[1], flush=True)
alive = []
while True:
    connection, _ = listener.accept()
    transport = paramiko.Transport(connection)
    transport.add_server_key(key)
    alive.append(transport)
    try:
        transport.start_server(server=Gate(), event=threading.Event())
    except Exception:
        pass
