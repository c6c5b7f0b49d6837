// Runs those functions of docs/android.md that do not use LiteRT. For tests/docs/test_guides.py.
import android.graphics.Bitmap
import java.io.DataInputStream

fun main(arguments: Array<String>) {
  val (width, height, side) = arguments.drop(1).map { it.toInt() }
  val input = DataInputStream(System.`in`.buffered())
  val output = when (arguments[0]) {
    "square" -> {
      val colours = IntArray(width * height) { input.readUnsignedByte() * 65536 + input.readUnsignedShort() }
      square(Bitmap.createBitmap(colours, width, height, Bitmap.Config.ARGB_8888), side)
    }
    "part" -> {
      val colours = part(FloatArray(side * side) { input.readFloat() }, width, height, side)
      check(colours.all { it and 0xFFFFFF == 0xFFFFFF })
      ByteArray(colours.size) { (colours[it] ushr 24).toByte() }
    }
    else -> {
      val image = Bitmap.createBitmap(IntArray(width * height), width, height, Bitmap.Config.ARGB_8888)
      val small = shrunk(image, side, squeeze = arguments[0] == "squeezed")
      byteArrayOf(small.width.toByte(), small.height.toByte())
    }
  }
  System.out.write(output)
  System.out.flush()
}
