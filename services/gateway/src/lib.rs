//! One port: REST transcoding, gRPC, OpenAPI and the pages behind the mails
