/* A library with the names of MXNet's functions that adapters/mxnet looks for, of an older version. None but MXGetVersion is called. */
int MXGetVersion(int* out) {
  *out = 10800;
  return 0;
}

const char* MXGetLastError(void) { return ""; }

#define NEVER_CALLED(name) \
  int name(void) { return -1; }
NEVER_CALLED(MXNDArrayCreateEx)
NEVER_CALLED(MXNDArrayFromDLPackEx)
NEVER_CALLED(MXNDArrayFree)
NEVER_CALLED(MXNDArrayGetShapeEx)
NEVER_CALLED(MXNDArrayGetDType)
NEVER_CALLED(MXNDArraySyncCopyFromCPU)
NEVER_CALLED(MXNDArraySyncCopyToCPU)
NEVER_CALLED(MXNDArrayWaitAll)
NEVER_CALLED(MXSymbolCreateFromJSON)
NEVER_CALLED(MXSymbolFree)
NEVER_CALLED(MXSymbolListArguments)
NEVER_CALLED(MXSymbolListAuxiliaryStates)
NEVER_CALLED(MXSymbolInferShapeEx)
NEVER_CALLED(MXExecutorBindEX)
NEVER_CALLED(MXExecutorFree)
NEVER_CALLED(MXExecutorForward)
NEVER_CALLED(MXExecutorOutputs)
