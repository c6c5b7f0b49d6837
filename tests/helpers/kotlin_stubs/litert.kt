// What docs/android.md uses of LiteRT 2.3's Kotlin API, by name and type; bodies left out. For tests/docs/test_guides.py.
package com.google.ai.edge.litert

import android.content.res.AssetManager

enum class Accelerator { NONE, CPU, GPU, NPU }

abstract class JniHandle : AutoCloseable {
  override fun close() = Unit
}

class TensorBuffer : JniHandle() {
  fun writeInt8(data: ByteArray): Unit = TODO()

  fun readInt8(): ByteArray = TODO()

  fun readFloat(): FloatArray = TODO()
}

class CompiledModel private constructor() : JniHandle() {
  data class CpuOptions(
    val numThreads: Int? = null,
    val xnnPackFlags: Int? = null,
    val xnnPackWeightCachePath: String? = null
  )

  class Options(vararg accelerators: Accelerator) {
    var cpuOptions: CpuOptions? = null
  }

  fun createInputBuffers(signature: String): List<TensorBuffer> = TODO()

  fun createOutputBuffers(signature: String): List<TensorBuffer> = TODO()

  fun run(inputs: List<TensorBuffer>, outputs: List<TensorBuffer>, signature: String): Unit = TODO()

  companion object {
    fun create(assetManager: AssetManager, assetName: String, options: Options): CompiledModel = TODO()
  }
}
