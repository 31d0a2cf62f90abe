package org.telltale.app.ui

import android.os.Handler
import android.os.Looper
import android.util.Log
import org.json.JSONObject
import java.util.concurrent.Executors
import java.util.concurrent.Future

/** Puts questions to the core on one thread of its own, and brings the answers to the main thread. */
class Answers(private val query: (String) -> String) {
    private val thread = Executors.newSingleThreadExecutor { Thread(it, "answers") }
    private val main = Handler(Looper.getMainLooper())

    /** One asker, who only wants the answer to the question asked last: earlier ones are dropped. */
    inner class Asker {
        private var turn = 0
        private var waiting: Future<*>? = null

        fun ask(question: JSONObject, then: (Result<JSONObject>) -> Unit) {
            cancel()
            val mine = turn
            waiting = thread.submit {
                val answer = runCatching { JSONObject(query(question.toString())) }
                answer.exceptionOrNull()?.let { Log.w("Telltale", "a question was not answered", it) }
                main.post { if (mine == turn) then(answer) }
            }
        }

        fun cancel() {
            turn++
            waiting?.cancel(false)
        }
    }

    /** A command, or a question whose answer is wanted whatever comes after. */
    fun tell(question: JSONObject, then: (Result<JSONObject>) -> Unit = {}) = Asker().ask(question, then)

    /** Other work that may wait for a file or for the system, in the same order. */
    fun <T> work(body: () -> T, then: (T) -> Unit) {
        thread.execute {
            val done = body()
            main.post { then(done) }
        }
    }
}
