// An S3 server with one bucket, `runs`; prints its port, and serves the folder given until it is ended.
import S3rver from "s3rver";

const server = new S3rver({
  address: "127.0.0.1",
  port: 0,
  silent: true,
  directory: process.argv[2],
  configureBuckets: [{ name: "runs" }],
});
const { port } = await server.run();
console.log(port);
