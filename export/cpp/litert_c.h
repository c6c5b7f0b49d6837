// The part of LiteRT's C API that docs/cpp.md uses, declared as in LiteRT 2.3. The ai-edge-litert wheel contains the
// library, libLiteRt.so, but no headers. If you have the headers of LiteRT's SDK (litert/c/*.h), include them instead.
#ifndef LITERT_C_H_
#define LITERT_C_H_

#include <cstddef>
#include <cstdint>

extern "C" {

typedef struct LiteRtEnvironmentT* LiteRtEnvironment;
typedef struct LiteRtModelT* LiteRtModel;
typedef struct LiteRtSignatureT* LiteRtSignature;
typedef struct LiteRtOptionsT* LiteRtOptions;
typedef struct LiteRtOpaqueOptionsT* LiteRtOpaqueOptions;
typedef struct LiteRtCompiledModelT* LiteRtCompiledModel;
typedef struct LiteRtTensorBufferT* LiteRtTensorBuffer;

typedef int LiteRtStatus;  // 0 is success
typedef size_t LiteRtParamIndex;
enum { kLiteRtHwAcceleratorCpu = 1 };
enum LiteRtElementType { kLiteRtElementTypeUInt8 = 3 };
enum LiteRtTensorBufferType { kLiteRtTensorBufferTypeHostMemory = 1 };
enum LiteRtTensorBufferLockMode { kLiteRtTensorBufferLockModeRead = 0, kLiteRtTensorBufferLockModeWrite = 1 };

struct LiteRtLayout {
  unsigned int rank : 7;
  bool has_strides : 1;
  int32_t dimensions[8];
  uint32_t strides[8];
};

struct LiteRtRankedTensorType {
  LiteRtElementType element_type;
  LiteRtLayout layout;
};
static_assert(sizeof(LiteRtRankedTensorType) == 72, "must be the size in LiteRT");

LiteRtStatus LiteRtCreateEnvironment(int num_options, const void* options, LiteRtEnvironment*);
void LiteRtDestroyEnvironment(LiteRtEnvironment);
LiteRtStatus LiteRtCreateModelFromFile(LiteRtEnvironment, const char* filename, LiteRtModel*);
void LiteRtDestroyModel(LiteRtModel);
LiteRtStatus LiteRtGetNumModelSignatures(LiteRtModel, LiteRtParamIndex*);
LiteRtStatus LiteRtGetModelSignature(LiteRtModel, LiteRtParamIndex, LiteRtSignature*);
LiteRtStatus LiteRtGetSignatureKey(LiteRtSignature, const char** key);
LiteRtStatus LiteRtCreateOptions(LiteRtOptions*);
void LiteRtDestroyOptions(LiteRtOptions);
LiteRtStatus LiteRtSetOptionsHardwareAccelerators(LiteRtOptions, int accelerators);
LiteRtStatus LiteRtCreateOpaqueOptions(const char* identifier, void* payload, void (*destroy)(void*),
                                       LiteRtOpaqueOptions*);
LiteRtStatus LiteRtAddOpaqueOptions(LiteRtOptions, LiteRtOpaqueOptions);
LiteRtStatus LiteRtCreateCompiledModel(LiteRtEnvironment, LiteRtModel, LiteRtOptions, LiteRtCompiledModel*);
void LiteRtDestroyCompiledModel(LiteRtCompiledModel);
LiteRtStatus LiteRtCompiledModelResizeInputTensor(LiteRtCompiledModel, LiteRtParamIndex signature,
                                                  LiteRtParamIndex input, const int* dims, size_t num_dims);
LiteRtStatus LiteRtCreateManagedTensorBuffer(LiteRtEnvironment, LiteRtTensorBufferType, const LiteRtRankedTensorType*,
                                             size_t bytes, LiteRtTensorBuffer*);
void LiteRtDestroyTensorBuffer(LiteRtTensorBuffer);
LiteRtStatus LiteRtLockTensorBuffer(LiteRtTensorBuffer, void** address, LiteRtTensorBufferLockMode);
LiteRtStatus LiteRtUnlockTensorBuffer(LiteRtTensorBuffer);
LiteRtStatus LiteRtRunCompiledModel(LiteRtCompiledModel, LiteRtParamIndex signature, size_t num_inputs,
                                    LiteRtTensorBuffer* inputs, size_t num_outputs, LiteRtTensorBuffer* outputs);
}

#endif  // LITERT_C_H_
