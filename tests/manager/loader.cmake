trims_test(loader_test
           SOURCES loader_fault_test.cc loader_fixture.cc loader_plan_test.cc loader_segment_test.cc
                   loader_thread_test.cc
           DEPS trims_loader)
