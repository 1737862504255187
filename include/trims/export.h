// TRIMS_EXPORT marks the symbols that libtrims.so offers; everything else in it is hidden.
#ifndef TRIMS_EXPORT_H_
#define TRIMS_EXPORT_H_

#define TRIMS_EXPORT __attribute__((visibility("default")))

#endif  // TRIMS_EXPORT_H_
