/* The version of the headers. Readable by C and C++. */
#ifndef TRIMS_VERSION_H_
#define TRIMS_VERSION_H_

#define TRIMS_VERSION_MAJOR 0
#define TRIMS_VERSION_MINOR 1
#define TRIMS_VERSION_PATCH 0
#define TRIMS_VERSION "0.1.0"

#endif /* TRIMS_VERSION_H_ */
