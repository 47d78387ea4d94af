// kinesis-mock asks a connection for the address of its client, and ends as a whole if the client has reset it before that.
const { Server } = require("net");

const { emit } = Server.prototype;

Server.prototype.emit = function (event, socket, ...rest) {
  if (event === "connection" && socket.remoteAddress === undefined) {
    socket.destroy();
    return true;
  }
  return emit.call(this, event, socket, ...rest);
};
