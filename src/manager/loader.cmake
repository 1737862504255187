# The loader, a library of its own: it needs neither the catalog nor the preparer.
trims_library(loader SOURCES extent_fill.cc load_plan_check.cc load_segment.cc thread_loader.cc
              DEPS trims_store trims_source trims_wire trims_sha256 trims_base)
