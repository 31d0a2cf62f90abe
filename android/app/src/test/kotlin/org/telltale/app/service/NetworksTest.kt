package org.telltale.app.service

import android.net.ConnectivityManager
import android.os.Handler
import android.os.Looper
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadows.ShadowConnectivityManager

@RunWith(RobolectricTestRunner::class)
@Config(application = android.app.Application::class, sdk = [34], shadows = [NetworksTest.Refusing::class])
class NetworksTest {
    @Implements(ConnectivityManager::class)
    class Refusing : ShadowConnectivityManager() {
        @Implementation
        public override fun registerDefaultNetworkCallback(callback: ConnectivityManager.NetworkCallback, handler: Handler) {
            tries++
            throw SecurityException("Package android does not belong to 10083")
        }
    }

    /** Watching goes on with the network that there is, and the next start asks again. */
    @Test
    fun aPhoneThatRefusesToTellOfItsNetworksEndsNothing() {
        val connectivity = RuntimeEnvironment.getApplication().getSystemService(ConnectivityManager::class.java)
        val networks = Networks(connectivity, Handler(Looper.getMainLooper())) {}
        repeat(2) { networks.follow() }
        networks.forget()
        assertEquals(2, tries)
    }

    private companion object {
        var tries = 0
    }
}
